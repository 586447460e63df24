if [ "$1" -eq 0 ]; then
  end_service
fi
