"""What every adapter uses to reach the world: bounded HTTP, and secrets read from files."""
