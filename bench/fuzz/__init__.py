"""Made-up streams for the decoder of providers' answers, each compared with a plain reading of the whole."""
