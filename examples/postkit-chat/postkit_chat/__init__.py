"""Chat, an imaginary team message board, for postkit."""
