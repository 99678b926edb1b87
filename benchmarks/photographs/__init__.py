"""What the program does on photographs of people, and which of them count."""
