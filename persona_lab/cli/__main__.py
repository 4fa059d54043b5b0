"""``python -m persona_lab.cli`` is ``persona-lab``."""

from persona_lab.cli import main

main()
