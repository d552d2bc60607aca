"""For tests: the conformance suite of a plugin, and fixtures for programs that embed postkit.

A plugin's whole test is a subclass::

    from postkit.testing.conformance import NetworkConformance

    class TestChat(NetworkConformance):
        network = "chat"

The fixtures ``postkit_emulator`` and ``postkit_kit`` are there as soon as postkit is installed.
Importing this package loads nothing.
"""
