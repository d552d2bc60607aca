"""Link cards: what a web page says of itself, for networks whose clients build the card."""
