"""What finished runs say: tables made of scenarios, levers and indicators."""
