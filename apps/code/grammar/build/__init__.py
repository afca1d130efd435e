"""Builds the data file of a language: the lexer automata and the costs of finishing a program. Needs a C compiler.

python -m apps.code.grammar.build python            # from the source distribution of the pinned version
python -m apps.code.grammar.build json --source DIR # from the `src` folder of an unpacked one
python -m apps.code.grammar.build json --check      # whether the project's file is what the build makes
"""
