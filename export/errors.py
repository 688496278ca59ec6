"""What keeps a pipeline from becoming a model file."""


class ExportError(Exception):
    """Nothing was written; the message names what is at fault and the mend."""


class NotExportable(ExportError):
    """A step or a column of the pipeline has no equal in ONNX."""


class InvalidContract(ExportError):
    """The file cannot say of itself what it would have to."""


class ParityError(ExportError):
    """The graph does not answer as the pipeline does."""
