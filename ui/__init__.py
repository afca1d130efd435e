"""The faces: HTTP server, command line, Gradio pages."""
