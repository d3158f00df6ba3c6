// ENet (http://enet.bespin.org) as one module. Only EnetHost.swift and EnetParty.swift import it.
#include <enet/enet.h>
