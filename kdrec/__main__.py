"""`python -m kdrec`: the command line, where its script is not on the path."""

from kdrec.cli import main

if __name__ == "__main__":
    main()
