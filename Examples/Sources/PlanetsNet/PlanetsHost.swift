import Planets
import Roamkey
