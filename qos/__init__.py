"""Four priority classes on the in-line interfaces, through the kernel's traffic control."""
