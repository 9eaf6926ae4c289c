"""The dual-WAN router, through SNMP."""
