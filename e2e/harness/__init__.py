"""What the end-to-end tests are written with: an index in a process, a person at it, and the real clients."""
