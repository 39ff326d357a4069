"""What an SRE tunes rules with: explain, unit tests, backtest, tune. It reads and never acts.

Everything here goes through the core that decides at night; see `rehearsal.py`.
"""
