"""Derivatives of a potential that knows energy and forces alone, by differences. For LinearResponse and analyses."""
