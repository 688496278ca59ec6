"""The document that describes the HTTP interface, made of the contract, and the page of it."""
