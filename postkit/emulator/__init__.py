"""A stateful stand-in for every network on loopback: journal, faults, and a page to look at.

Importing this package loads nothing; ``postkit.emulator.base`` is the contract for authors and
``postkit.emulator.server`` starts it.
"""
