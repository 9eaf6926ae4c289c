"""What can be proven of one supervised procedure: the packet, its page, and how both are checked without us."""
