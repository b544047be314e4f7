"""`python -m taskctl`."""

from taskctl import main

if __name__ == "__main__":
    main()
