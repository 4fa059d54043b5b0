"""``python -m persona_lab`` is the command ``persona-lab``."""

from persona_lab.cli import main

main()
