"""Save the ONNX file as a model of MLflow's: ``python save.py MODEL FOLDER``."""

import sys

import mlflow.onnx
import onnx

mlflow.onnx.save_model(onnx.load(sys.argv[1]), sys.argv[2], pip_requirements=["onnxruntime"])
