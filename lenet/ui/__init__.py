"""The web page: one module a tab, each with one `build()`. Only this folder imports gradio."""
