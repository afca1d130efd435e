"""Whether what was learnt at the desk may go into service."""
