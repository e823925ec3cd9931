"""The catalogues of the pages' texts: one `.po` a template or module, compiled beside it."""
