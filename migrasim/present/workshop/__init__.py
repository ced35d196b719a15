"""Workshop mode: groups propose scenarios, predict, see the result, vote; all of it in one record."""
