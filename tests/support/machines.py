"""A made-up machine, as benchmarks describe the one they ran on."""

MACHINE = {
    "cpu": "Example 9000",
    "cores": 2,
    "flags": ["avx2"],
    "memory_gib": 8.0,
    "os": "Linux",
    "python": "CPython 3.12",
    "packages": {"numpy": "2.0"},
    "date": "2025-01-01",
}
