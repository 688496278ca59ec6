"""What can be seen of a server that runs: metrics, a log of requests, where the time goes."""
