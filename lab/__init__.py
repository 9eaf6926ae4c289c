"""A whole imaging site in network namespaces, for the demo, the tests and the benchmarks."""
