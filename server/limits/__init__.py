"""What bounds a server: connections, time, rates, and how much waits."""
