"""The Springald scheduler: plans queries, cuts them into stages and drives their tasks."""
