// Sketch
