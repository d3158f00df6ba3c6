// RoamkeySimulator
