"""ivfbench: routing in clustering-based nearest-neighbour search, measured.

The five rooms, and who may know whom:

- ``datasets``, ``algorithms`` and ``results`` know nobody;
- ``runner`` knows those three;
- ``plots`` knows only ``results``;
- ``__main__`` is the command line: it parses and calls.

Importing this package costs nothing: each room imports what it needs when it is entered.
"""

__version__ = "0.1.0"
