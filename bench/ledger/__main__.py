from bench.ledger.run import main

if __name__ == "__main__":  # processes that make rows import this file too
    main()
