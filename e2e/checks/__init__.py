"""What must hold for the statistics page. Each check gets a `Visit`; an AssertionError says what is wrong."""
