"""The exit statuses of every command.

0 is as it should be.
"""

NOT_SO = 1  # errors in rules, an outcome that was not reached, a daemon that could not start
WRONG_USAGE = 2
NO_DAEMON = 3  # it does not answer, or not so that it is understood
REFUSED = 4  # also where nothing has the name that was given, whoever looks for it
NOT_CONFIRMED = 5
