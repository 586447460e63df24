if [ "$1" = remove ]; then
  end_service
fi
