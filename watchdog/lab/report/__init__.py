"""What a backtest found, for people and for machines."""
