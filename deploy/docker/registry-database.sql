-- Run by the image when it makes the data folder: the schema registry keeps its schemas in a database of its own.
CREATE DATABASE registry;
