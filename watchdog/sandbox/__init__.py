"""A small, real stand-in for Mycelia: flag API, metrics, status document, release folder, tools.

Separate processes on loopback, used by the demo, the drills, the bench and the end-to-end tests.
Start it with `watchdog.sandbox.handle.Sandbox`. It knows nothing of the watchdog (and never imports
its core), so it cannot agree with it by accident. This file imports nothing: the command line
tools pass through it and must start fast.
"""
