"""The written analysis: experiments, their results, and the notebooks that tell them."""
