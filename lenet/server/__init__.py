"""What only a web server needs: runs for visitors, limits, caches. Nothing here imports gradio."""
