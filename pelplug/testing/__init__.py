"""The kit to check what plugins offer, with small trajectories and a command runner. For plugin authors.

In a test module::

    from pelplug.testing import parametrize_with_checks
    from pelplug_foo.foo import Foo

    @parametrize_with_checks([Foo], expected_failures={"check_rotation": "it looks along x"})
    def test_contract(check):
        check()

    def test_numbers(pelplug_trajectory):
        ...

gives one item a rule, ``foo-check_pickles`` and so on; ``pelplug plugins check foo`` does the same without pytest. The
fixtures are there without being imported. Analyses are sent to other processes by the name of their class, so define
them in an importable module, not inside the test.
"""

# What there is stands in __init__.pyi, as for the public face. The plugin of pytest lies in this package: every run of
# pytest imports it, and nothing else from here.
import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
