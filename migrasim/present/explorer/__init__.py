"""The browser explorer: pages and components that show results and know nothing of the model behind them."""
