"""Do stated errors hold? Data of known law through the analyses, many times, and the share of errors that contain it.

Run: ``pytest -m validation tests/validation/stated_errors -s``. Environment variables: ``PELPLUG_COVERAGE_TABLE`` names
the JSON file to write the table into, ``PELPLUG_COVERAGE_SETS`` makes every subject have at most so many sets (nothing
is then judged or written), ``PELPLUG_COVERAGE_SCALE`` multiplies every stated error. What is asked was declared in
docs/records/2026-11-30-coverage.md before the first run.
"""
