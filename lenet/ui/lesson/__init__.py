"""The Lesson tab: nine steps beside the page's own parts."""
