"""The web page, with a folder for each tab. Only this folder imports gradio."""
