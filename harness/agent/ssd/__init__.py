"""SSD detectors with the structure that jetson-inference trains: 3,000 priors for images of 300 x 300 pixels."""
