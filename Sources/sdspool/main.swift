print("sdspool")
