"""Deterministic simulation: the real delivery code over a simulated clock, store and network.

One seed is one schedule of posts, processes and faults; the same seed takes the same steps.
"""
