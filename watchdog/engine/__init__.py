"""The engine: passes, the runner, custody of what was rolled back, start-up recovery.

Works on ports alone; which adapters stand behind them is the composition root's affair.
"""
